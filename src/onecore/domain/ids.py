"""Ids as distinct types, so that one in another's place fails the type check."""

from typing import NewType
from uuid import UUID

WorkspaceId = NewType("WorkspaceId", int)

# Procore's. They may exceed 32 bits.
CompanyId = NewType("CompanyId", int)
ProjectId = NewType("ProjectId", int)
VendorId = NewType("VendorId", int)
CommitmentId = NewType("CommitmentId", int)
RequisitionId = NewType("RequisitionId", int)
CostCodeId = NewType("CostCodeId", int)
CostTypeId = NewType("CostTypeId", int)  # the API's line_item_type_id

# Xero's.
OrganisationId = NewType("OrganisationId", UUID)  # its API says tenantId
ContactId = NewType("ContactId", UUID)
BillId = NewType("BillId", UUID)  # its API says InvoiceID for bills too
BillLineId = NewType("BillLineId", UUID)
CategoryId = NewType("CategoryId", UUID)
OptionId = NewType("OptionId", UUID)
AccountCode = NewType("AccountCode", str)
TaxType = NewType("TaxType", str)
