"""What patients read, as rows: loaded from the files, edited in versions, signed, carried from clinic to clinic."""

from clinic.content.bringing import Act, Change, Plan, bring_in, plan
from clinic.content.loading import DATA, Report, load, load_services
from clinic.content.packs import BadPack, Pack, export, read
from clinic.content.versions import (
    SIGNED_MODELS,
    ChangedMeanwhile,
    cite,
    codes_in,
    record_revision,
    sign_all,
    sign_off,
)

__all__ = [
    "DATA",
    "SIGNED_MODELS",
    "Act",
    "BadPack",
    "Change",
    "ChangedMeanwhile",
    "Pack",
    "Plan",
    "Report",
    "bring_in",
    "cite",
    "codes_in",
    "export",
    "load",
    "load_services",
    "plan",
    "read",
    "record_revision",
    "sign_all",
    "sign_off",
]
