"""The desk's addresses."""

from django.urls import path

from bookings.desk import (
    answers,
    asking,
    attending,
    booking,
    changes,
    day,
    guardians,
    mail,
    moving,
    review,
    rules,
    tasks,
)

app_name = "desk"

urlpatterns = [
    path("", day.day, name="day"),
    path("bookings/<str:reference>/", booking.show, name="booking"),
    path("bookings/<str:reference>/email/", changes.correct_email, name="correct_email"),
    path("bookings/<str:reference>/resend/", changes.resend, name="resend"),
    path("bookings/<str:reference>/move/", moving.move, name="move"),
    path("bookings/<str:reference>/cancel/", changes.cancel, name="cancel"),
    path("bookings/<str:reference>/approve/", review.approve, name="approve"),
    path("bookings/<str:reference>/decline/", review.decline, name="decline"),
    path("bookings/<str:reference>/service/", moving.change_service, name="change_service"),
    path("bookings/<str:reference>/answers/", answers.answers, name="answers"),
    path("bookings/<str:reference>/shown/", answers.shown, name="shown"),
    path("bookings/<str:reference>/ask/", asking.ask, name="ask"),
    path("bookings/<str:reference>/arrive/", attending.arrive, name="arrive"),
    path("bookings/<str:reference>/room/", attending.enter_room, name="enter_room"),
    path("bookings/<str:reference>/close/", attending.close, name="close"),
    path("bookings/<str:reference>/miss/", attending.miss, name="miss"),
    path("bookings/<str:reference>/guardian/", guardians.agreed, name="guardian_agreed"),
    path("bookings/<str:reference>/guardian/name/", guardians.name, name="guardian"),
    path("review/", review.review, name="review"),
    path("rules/", rules.rules, name="rules"),
    path("rules/try/", rules.try_out, name="rules_try"),
    path("mail/", mail.mail, name="mail"),
    path("mail/<int:pk>/", mail.message, name="message"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/<int:pk>/done/", tasks.done, name="task_done"),
]
