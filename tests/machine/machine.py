"""The state machine: all groups of rules over one world."""

from tests.machine.office_rules import OfficeRules
from tests.machine.trouble_rules import TroubleRules
from tests.machine.xero_rules import XeroRules


class WholeProduct(TroubleRules, XeroRules, OfficeRules):
    """OneCore between people in Procore, people in Xero, and whatever breaks."""
