"""The words and rates the made-up builder is put together from: Australian commercial building."""

from dataclasses import dataclass

# account code -> name, by what builders of this size keep in Xero
EXPENSE_ACCOUNTS = {
    "310": "Concrete and masonry",
    "311": "Site establishment and preliminaries",
    "312": "Demolition and earthworks",
    "313": "Structural steel and metalwork",
    "314": "Carpentry and joinery",
    "315": "Roofing and waterproofing",
    "316": "Windows, doors and glazing",
    "317": "Linings and finishes",
    "318": "Fittings and equipment",
    "319": "Mechanical and hydraulic services",
    "320": "Electrical services",
    "321": "External works and landscaping",
}
RETENTION_ACCOUNTS = {"820R": "Retentions payable", "615R": "Retentions receivable"}

DIVISION_ACCOUNT = {
    "01": "311",
    "02": "312",
    "03": "310",
    "04": "310",
    "05": "313",
    "06": "314",
    "07": "315",
    "08": "316",
    "09": "317",
    "10": "318",
    "11": "318",
    "14": "318",
    "15": "319",
    "16": "320",
    "31": "312",
    "32": "321",
}

COST_CODES = (
    ("01-100", "Preliminaries"),
    ("01-310", "Project supervision"),
    ("01-510", "Temporary services"),
    ("01-520", "Site sheds and amenities"),
    ("01-540", "Scaffolding"),
    ("01-560", "Hoardings and fencing"),
    ("01-590", "Crane and hoist hire"),
    ("01-740", "Final clean"),
    ("02-220", "Demolition"),
    ("02-300", "Bulk earthworks"),
    ("02-460", "Piling"),
    ("02-500", "Stormwater drainage"),
    ("03-300", "Concrete formwork"),
    ("03-310", "Concrete supply"),
    ("03-320", "Concrete place and finish"),
    ("03-350", "Reinforcement"),
    ("03-380", "Post-tensioning"),
    ("03-400", "Precast panels"),
    ("04-200", "Brickwork"),
    ("04-220", "Blockwork"),
    ("05-100", "Structural steel"),
    ("05-500", "Metalwork"),
    ("05-520", "Handrails and balustrades"),
    ("06-100", "Rough carpentry"),
    ("06-200", "Finish carpentry"),
    ("06-400", "Joinery"),
    ("07-100", "Waterproofing"),
    ("07-200", "Insulation"),
    ("07-400", "Cladding"),
    ("07-500", "Metal roofing"),
    ("07-900", "Caulking and sealants"),
    ("08-100", "Metal doors and frames"),
    ("08-200", "Timber doors"),
    ("08-400", "Shopfronts"),
    ("08-500", "Aluminium windows"),
    ("09-250", "Plasterboard"),
    ("09-300", "Wall and floor tiling"),
    ("09-510", "Suspended ceilings"),
    ("09-650", "Vinyl and resilient floors"),
    ("09-680", "Carpet"),
    ("09-900", "Painting"),
    ("10-400", "Signage"),
    ("11-450", "Appliances"),
    ("14-200", "Lifts"),
    ("15-300", "Fire services"),
    ("15-400", "Hydraulic services"),
    ("15-700", "Mechanical services"),
    ("16-100", "Electrical services"),
    ("16-700", "Data and communications"),
    ("32-120", "Asphalt and paving"),
    ("32-900", "Landscaping"),
)


@dataclass(frozen=True, slots=True)
class Trade:
    """What one kind of subcontractor or supplier is called, and what it does for how much."""

    business: str
    title: str
    codes: tuple[str, ...]
    low: int  # contract value in thousands of dollars
    high: int
    supplies: bool = False  # a purchase order rather than a subcontract
    cost_type: str = "S"


TRADES = (
    Trade("Concreting", "Concrete structure", ("03-300", "03-320", "03-350"), 300, 1800),
    Trade("Electrical", "Electrical services", ("16-100", "16-700"), 180, 900),
    Trade("Plumbing", "Hydraulic services", ("15-400", "02-500"), 150, 800),
    Trade("Steel Fabrication", "Structural steel", ("05-100", "05-500", "05-520"), 120, 900),
    Trade("Interiors", "Partitions and ceilings", ("09-250", "09-510", "07-200"), 120, 700),
    Trade(
        "Timber Supplies",
        "Framing timber supply",
        ("06-100", "06-200"),
        40,
        220,
        True,
        cost_type="M",
    ),
    Trade("Air Conditioning", "Mechanical services", ("15-700",), 150, 900),
    Trade("Roofing", "Roofing and cladding", ("07-500", "07-400", "07-900"), 90, 500),
    Trade("Glass & Aluminium", "Windows and shopfronts", ("08-500", "08-400"), 120, 700),
    Trade("Precast", "Precast panels supply", ("03-400", "03-310"), 90, 480, True, cost_type="M"),
    Trade("Earthmoving", "Demolition and bulk earthworks", ("02-220", "02-300"), 80, 600),
    Trade("Crane Hire", "Crane and hoist hire", ("01-590", "01-540"), 40, 260, True, cost_type="E"),
    Trade("Painting Services", "Painting", ("09-900", "07-900"), 60, 320),
    Trade("Tiling", "Wall and floor tiling", ("09-300", "07-100"), 60, 380),
    Trade("Fire Protection", "Fire services", ("15-300",), 80, 420),
    Trade("Joinery", "Joinery and doors", ("06-400", "08-200", "06-200"), 80, 520),
    Trade("Landscapes", "External works", ("32-900", "32-120"), 50, 340),
    Trade("Bricklaying", "Brick and blockwork", ("04-200", "04-220"), 60, 420),
)

FAMILIES = (
    "Smith Bros",
    "Nguyen",
    "Papadopoulos",
    "O'Brien & Sons",
    "Rossi",
    "Coastline",
    "Harris",
    "Southern Cross",
    "Kowalski",
    "Bayside",
    "Singh",
    "Great Dividing",
    "McAllister",
    "Tran",
    "Wattle Park",
    "Murray & Co",
    "Blue Gum",
    "Costa",
    "Ironbark",
    "Darling",
    "Elliott",
    "Haddad",
    "Jacaranda",
    "Lachlan",
    "Mancini",
    "Northside",
    "Petrov",
    "Redgum",
    "Sharma",
    "Taylor Bros",
    "Union Street",
    "Yarra",
)

# what a bookkeeper makes of a name when typing it from a letterhead
RETYPED = (
    (" Pty Ltd", ""),
    (" Pty Ltd", " P/L"),
    (" Bros ", " Brothers "),
    (" & ", " and "),
    (" Pty Ltd", " Pty. Ltd."),
)

CUSTOMERS = (
    "Harbourline Property Group Pty Ltd",
    "Meridian Aged Care Ltd",
    "Eastfield Developments Pty Ltd",
    "Riverbend Grammar School",
)

SITES = (
    ("Riverside Apartments", "NSW"),
    ("Northbank Offices", "VIC"),
    ("Wattle Street Townhouses", "QLD"),
    ("Kingsford Medical Centre", "NSW"),
    ("Harbour View Residences", "NSW"),
    ("St Brigid's School Hall", "VIC"),
    ("Eastgate Shopping Village", "QLD"),
    ("Yarra Bend Aged Care", "VIC"),
    ("Coolangatta Surf Club", "QLD"),
    ("Parramatta Logistics Hub", "NSW"),
    ("Brunswick Lane Lofts", "VIC"),
    ("Fortitude Valley Hotel", "QLD"),
    ("Macquarie Laboratories", "NSW"),
    ("Geelong Civic Library", "VIC"),
    ("Toowoomba Fire Station", "QLD"),
    ("Newcastle Wharf Sheds", "NSW"),
)
TIME_ZONES = {"NSW": "Sydney", "VIC": "Melbourne", "QLD": "Brisbane"}

WORK = (
    "ground floor",
    "level 1",
    "level 2",
    "level 3",
    "level 4",
    "basement",
    "podium",
    "lift core",
    "plant room",
    "roof",
    "external areas",
    "common areas",
)
VARIATIONS = (
    "Latent conditions, rock in footings",
    "Client change to lobby layout",
    "Additional penetrations",
    "Extended hours to recover programme",
    "Upgrade to acoustic rating",
    "Authority requirement, extra drainage",
)
