"""The names that the demo draws from: people, employers, training providers, and courses.

People's names come in about the proportions of a manufacturing plant in the United States. The
employers, colleges, and training providers are made up; the titles of courses and credentials are
those of the trade.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NameGroup:
    """Given and family names that go together, and how many workers in a thousand have them.

    Names are separated by spaces.
    """

    per_thousand: int
    given: str
    family: str
    prefer_spanish: float = 0.0


@dataclass(frozen=True, slots=True)
class DemoEmployer:
    """An employer: where its plants are, and how large its share of the workers is."""

    name: str
    domain: str
    sites: tuple[str, ...]
    time_zone: str
    weight: int


@dataclass(frozen=True, slots=True)
class Department:
    """A department of a plant, and the titles of its technicians."""

    name: str
    job: str


@dataclass(frozen=True, slots=True)
class Training:
    """Something that can be claimed for points: a course, a credential, or volunteering."""

    title: str
    provider: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """An activity that a reviewer rejected, and why.

    ``shown`` is what the evidence says instead of the claim; None: there is no evidence.
    """

    category: str
    type: str
    training: Training
    quantity: int
    reason_code: str
    reason: str
    shown: str | None = None


NAME_GROUPS = (
    NameGroup(
        605,
        "James Michael Robert David John Brian Kevin Scott Mark Jeffrey Timothy Eric"
        " Jason Matthew Ryan Kyle Tyler Cody Dustin Travis Joshua Justin Brandon Zachary"
        " Nathan Gary Dennis Douglas Randy Craig Jennifer Amanda Melissa Heather Kimberly"
        " Tammy Ashley Brittany Sarah Stephanie Crystal Rebecca Kayla Megan Donna",
        "Miller Smith Davis Wilson Anderson Taylor Clark Lewis Young Hall Allen Wright"
        " Scott Baker Nelson Mitchell Campbell Roberts Phillips Evans Turner Parker"
        " Collins Edwards Stewart Morris Rogers Cook Morgan Bailey Cooper Reed Kelly"
        " Sullivan O'Brien Murphy Schmidt Schneider Weber Hoffman Becker Kowalski Nowak"
        " Wisniewski Novak Larsen Peterson Olson Russo Romano Boudreaux Hensley Mullins"
        " Ratliff Yoder",
    ),
    NameGroup(
        185,
        "José Luis Juan Carlos Jorge Miguel Jesús Francisco Antonio Manuel Pedro"
        " Alejandro Raúl Ricardo Fernando Sergio Javier Daniel Hector Ramiro María"
        " Guadalupe Rosa Ana Leticia Yolanda Verónica Silvia Gabriela Elena",
        "García Hernández Martínez López González Rodríguez Pérez Sánchez Ramírez Torres"
        " Flores Rivera Gómez Díaz Reyes Morales Cruz Ortiz Gutiérrez Chávez Ramos Ruiz"
        " Mendoza Castillo Vargas Salazar Peña Delgado Guerrero Medina",
        prefer_spanish=0.6,
    ),
    NameGroup(
        115,
        "Anthony Marcus Terrence Reginald Darnell Jamal Andre Darius Calvin Maurice"
        " Tyrone DeShawn Xavier Isaiah Curtis Leon Tamika Latoya Keisha Ebony Monique"
        " Denise Yolanda Jasmine",
        "Johnson Williams Jones Brown Jackson Harris Robinson Washington Jefferson Thomas"
        " Walker Green Coleman Jenkins Booker Banks Gaines Dorsey Bennett Singletary Mack"
        " Hampton Battle Simmons",
    ),
    NameGroup(
        30,
        "Minh Tuan Hung Thanh Quang Lan Thuy Huong Linh Kim",
        "Nguyen Tran Le Pham Huynh Vo Dang Bui",
    ),
    NameGroup(
        20,
        "Rodel Jerome Arnel Ronaldo Maricel Rowena Cherry Jocelyn",
        "Santos Reyes Bautista Villanueva Mendoza Delacruz",
    ),
    NameGroup(
        18,
        "Rajesh Sanjay Amit Vikram Harpreet Priya Sunita Anjali",
        "Patel Shah Singh Kumar Sharma Reddy Gill",
    ),
    NameGroup(
        15,
        "Wei Jun Tou Kou Pao Mai Xiong Yer",
        "Chen Wang Liu Vang Yang Lor Thao Moua",
    ),
    NameGroup(
        12,
        "Dwayne Leland Wilson Verna Shawna Raelynn",
        "Begay Yazzie Tsosie Benally Oxendine Locklear",
    ),
)

EMPLOYERS = (
    DemoEmployer(
        "Kestrel Ridge Automotive",
        "kestrelridge.example",
        ("Spartanburg Stamping", "Spartanburg Assembly", "Greer Distribution Center"),
        "America/New_York",
        62,
    ),
    DemoEmployer(
        "Hadlow Foods", "hadlow.example", ("Lima Plant 1", "Lima Plant 2"), "America/New_York", 48
    ),
    DemoEmployer(
        "Whitcombe Sterile Products",
        "whitcombe.example",
        ("Bloomington Fill-Finish", "Columbus Packaging"),
        "America/Indiana/Indianapolis",
        31,
    ),
    DemoEmployer(
        "Brazos Bend Aerostructures",
        "brazosbend.example",
        ("Fort Worth Main", "Waco Composites"),
        "America/Chicago",
        44,
    ),
    DemoEmployer(
        "Pembine Iron & Casting", "pembine.example", ("Marinette Foundry",), "America/Chicago", 27
    ),
    DemoEmployer(
        "Yadkin Bluff Polymers",
        "yadkinbluff.example",
        ("Salisbury Extrusion", "Statesville Molding"),
        "America/New_York",
        35,
    ),
    DemoEmployer(
        "Ocotillo Circuit Assembly",
        "ocotillo.example",
        ("Tempe Building A", "Tempe Building B"),
        "America/Phoenix",
        29,
    ),
    DemoEmployer(
        "Wynooch Packaging",
        "wynooch.example",
        ("Tacoma Corrugated", "Kent Converting"),
        "America/Los_Angeles",
        30,
    ),
    DemoEmployer(
        "Elkhorn Fork Bearings",
        "elkhornfork.example",
        ("Georgetown Grinding",),
        "America/Kentucky/Louisville",
        22,
    ),
    DemoEmployer(
        "Curtis Creek Specialty Chemicals",
        "curtiscreek.example",
        ("Baltimore Works",),
        "America/New_York",
        19,
    ),
    DemoEmployer(
        "Loess Prairie Tractor",
        "loessprairie.example",
        ("Council Bluffs Assembly", "Sioux City Weld Shop"),
        "America/Chicago",
        38,
    ),
    DemoEmployer(
        "Fountain Fork Composites", "fountainfork.example", ("Pueblo Plant",), "America/Denver", 15
    ),
)

DEPARTMENTS = (
    Department("Assembly", "Production Technician"),
    Department("Machining", "CNC Machine Operator"),
    Department("Packaging", "Packaging Line Technician"),
    Department("Maintenance", "Maintenance Technician"),
    Department("Quality", "Quality Technician"),
    Department("Shipping and Receiving", "Material Handler"),
)

SHIFTS = ("1st", "2nd", "3rd")

CENTERS = (
    "Saluda Forks Technical College",
    "Wabash Crossing Community College",
    "Brazos Bend Community College",
    "Maumee Ridge Career Center",
    "Three Rivers Job Center",
    "Northgate High School CTE",
)

_MILLRACE = "Millrace Technical Training"
_GAUGE = "Bench & Gauge Institute"
_SALUDA = "Saluda Forks Technical College"
_WABASH = "Wabash Crossing Community College"
_SAFETY = "Tri-County Plant Safety Council"
_TORQUE = "Torquepoint Learning"
PROVIDER = _MILLRACE
"""The training provider that is on record as an organization."""

COURSES = (
    Training("Blueprint Reading for Manufacturing", _SALUDA),
    Training("Geometric Dimensioning and Tolerancing I", _GAUGE),
    Training("Statistical Process Control", _GAUGE),
    Training("Lockout/Tagout for Authorized Employees", _SAFETY),
    Training("Industrial Electricity Fundamentals", _WABASH),
    Training("PLC Troubleshooting, Level 1", _MILLRACE),
    Training("Hydraulics and Pneumatics", _MILLRACE),
    Training("5S and Visual Management", _TORQUE),
    Training("Root Cause Analysis and 8D", _TORQUE),
    Training("Industrial Robot Safety", _MILLRACE),
    Training("Precision Measurement with Hand Tools", _GAUGE),
    Training("Bearings and Lubrication", _WABASH),
    Training("Machine Guarding and Risk Assessment", _SAFETY),
)

CREDENTIALS = (
    Training("OSHA 30-Hour General Industry", _SAFETY),
    Training("NIMS Measurement, Materials and Safety", _GAUGE),
    Training("NIMS CNC Mill Operations", _GAUGE),
    Training("AWS D1.1 Welder Qualification", _WABASH),
    Training("Lean Six Sigma Yellow Belt", _TORQUE),
    Training("EPA Section 608 Technician, Type II", _WABASH),
    Training("Powered Industrial Truck Operator", _SAFETY),
)

VOLUNTEERING = (
    Training("Judge, regional skills competition: precision machining", "Piedmont Skills League"),
    Training("Robotics team mentor", "Northgate High School CTE"),
    Training("Manufacturing Day tour guide", "Upstate Manufacturers Alliance"),
)

REJECTIONS = (
    Rejection(
        "CE",
        "third_party",
        Training("Hydraulics and Pneumatics", _MILLRACE),
        24,
        "fewer_hours_shown",
        "The certificate shows 16 contact hours, not 24. Change the hours and submit it again.",
        shown="16 contact hours",
    ),
    Rejection(
        "CE",
        "third_party",
        Training("Statistical Process Control", _GAUGE),
        16,
        "missing_evidence",
        "Attach the certificate of completion, then submit it again.",
    ),
    Rejection(
        "CE",
        "third_party",
        Training("Real Estate Pre-License Course", "Foothills School of Business"),
        40,
        "unrelated_field",
        "Real estate is not related to production, quality, safety, or maintenance.",
        shown="40 contact hours",
    ),
    Rejection(
        "CE",
        "third_party",
        Training("PLC Troubleshooting, Level 1", _MILLRACE),
        24,
        "insufficient_evidence",
        "This is a receipt for the course. We need the certificate of completion.",
        shown="Paid in full: $640.00",
    ),
    Rejection(
        "IC",
        "industry_certification",
        Training("Food Handler Card", "Maumee Ridge Career Center"),
        1,
        "not_accepted_type",
        "A food handler card is a permit, not an industry certification.",
        shown="Valid for two years",
    ),
    Rejection(
        "X",
        "volunteer",
        Training("Youth soccer coach", "Eastside Youth Soccer"),
        20,
        "unrelated_field",
        "Volunteering counts when it uses your trade, such as judging a skills competition.",
        shown="20 hours in the spring season",
    ),
)
