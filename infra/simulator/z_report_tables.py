"""Tables of the Z-report and the ticket: see ``schema`` for how a line reads.

Source: our protocol notes, §3.10 and §3.11.
"""

from typing import Final

Z_REPORT_TABLES: Final = {
    "ZREP": """
        ZREPHEAD part:ZREPHEAD R
        ZREPREALIZ part:ZREPORDERS
        ZREPRETURN part:ZREPORDERS
        ZREPCASH part:ZREPCASH
        ZREPVAL part:ZREPVAL
        ZREPFUEL part:ZREPFUEL
        ZREPBODY part:ZREPBODY
        """,
    "ZREPHEAD": """
        UID text R
        TIN tin R
        IPN ipn
        ORGNM s256 R
        POINTNM s256 R
        POINTADDR s256
        ORDERDATE date R
        ORDERTIME time R
        ORDERNUM pos R
        CASHDESKNUM pos R
        CASHREGISTERNUM pos R
        CASHIER s128
        VER int R
        ORDERTAXNUM s128
        OFFLINE bool
        PREVDOCHASH s64
        REVOKED bool
        TESTING bool
        """,
    "ZREPORDERS": """
        SUM d2 R
        PWNSUMISSUED d2
        PWNSUMRECEIVED d2
        RNDSUM d2
        NORNDSUM d2
        ORDERSCNT nonneg R
        PWNORDERSCNTISSUED nonneg
        PWNORDERSCNTRECEIVED nonneg
        TOTALCURRENCYCOST nonneg
        TOTALCURRENCYSUM d2
        TOTALCURRENCYCOMMISSION d2
        PAYFORMS rows:ZREPPAYFORMS
        TAXES rows:ZREPTAXES
        """,
    "ZREPPAYFORMS": """
        PAYFORMCD d0 R
        PAYFORMNM text R
        SUM d2 R
        """,
    "ZREPTAXES": """
        TYPE d0 R
        NAME s64 R
        LETTER s1
        PRC d2 R
        SIGN bool
        TURNOVER d2 R
        TURNOVERDISCOUNT d2
        SOURCESUM d2
        SUM d2 R
        """,
    "ZREPCASH": """
        SUM d2 R
        COMMISSION d2
        ORDERSCNT nonneg R
        """,
    "ZREPVAL": """
        TOTALINADVANCE d2
        TOTALINATTACH d2
        TOTALSURRCOLLECTION d2
        COMMISSION d2
        CALCDOCSCNT nonneg R
        ACCEPTEDN d2
        ISSUEDN d2
        COMMISSIONN d2
        TRANSFERSCNT nonneg
        DETAILS rows:ZREPVALDETAILS
        TAXES rows:ZREPTAXES
        """,
    "ZREPVALDETAILS": """
        VALNUM d0
        VALCD pos R
        VALSYMCD s64 R
        VALNM text
        COURSEBUY s64
        COURSESELL s64
        COURSEREG s64
        BUYVALI d2
        SELLVALI d2
        BUYVALN d2
        SELLVALN d2
        STORBUYVALI d2
        STORSELLVALI d2
        STORBUYVALN d2
        STORSELLVALN d2
        CINVALI d2
        COUTVALI d2
        UNUSVALI d2
        UNUSVALN d2
        COMMISSION d2
        INADVANCE d2
        INATTACH d2
        SURRCOLLECTION d2
        STORUNUSVALI d2
        STORUNUSVALN d2
        STORCINVALI d2
        STORCOUTVALI d2
        STORCOMMISSION d2
        VALCRCD s64
        CROSSSYMCD s64
        CROSSCOURSE s64
        """,
    "ZREPFUEL": """
        DETAILS rows:ZREPFUELDETAILS R
        REMAINS rows:ZREPFUELREMAINS
        """,
    "ZREPFUELDETAILS": """
        NAME text R
        ACCEPTED d2
        REALIZVOL d2
        REALIZPRK d2
        REALIZCOST d2
        REMAINS d2
        PAYFORMS rows:ZREPFUELPAYFORMS
        """,
    "ZREPFUELPAYFORMS": """
        PAYFORMCD d0 R
        PAYFORMNM text R
        SUM d2 R
        AMOUNT d2 R
        """,
    "ZREPFUELREMAINS": """
        NAME text R
        TANKNUM s64 R
        COLUMNNUM s64
        FAUCETNUM s64
        REMAINS d2 R
        """,
    "ZREPBODY": """
        SERVICEINPUT d2
        SERVICEOUTPUT d2
        VEHICLERN s64
        """,
}

TICKET_TABLES: Final = {
    "TICKET": """
        UID text R
        ORDERDATE nonneg R
        ORDERTIME nonneg R
        ORDERNUM pos R
        ORDERTAXNUM s128
        OFFLINESESSIONID pos
        OFFLINESEED pos
        ERRORCODE int
        ERRORTEXT text
        VER int R
        """,
}
