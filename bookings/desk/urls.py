"""The desk's addresses."""

from django.urls import path

from bookings.desk import booking, changes, day, mail, tasks

app_name = "desk"

urlpatterns = [
    path("", day.day, name="day"),
    path("bookings/<str:reference>/", booking.show, name="booking"),
    path("bookings/<str:reference>/email/", changes.correct_email, name="correct_email"),
    path("bookings/<str:reference>/resend/", changes.resend, name="resend"),
    path("bookings/<str:reference>/move/", changes.move, name="move"),
    path("bookings/<str:reference>/cancel/", changes.cancel, name="cancel"),
    path("mail/", mail.mail, name="mail"),
    path("mail/<int:pk>/", mail.message, name="message"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/<int:pk>/done/", tasks.done, name="task_done"),
]
