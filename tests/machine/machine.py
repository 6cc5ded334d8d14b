"""The state machine: all groups of rules over one world."""

from tests.machine.office_rules import OfficeRules
from tests.machine.procore_rules import ProcoreRules
from tests.machine.trouble_rules import TroubleRules
from tests.machine.xero_rules import XeroRules


class WholeProduct(ProcoreRules, XeroRules, OfficeRules, TroubleRules):
    """OneCore between people in Procore, people in Xero, and whatever breaks."""
