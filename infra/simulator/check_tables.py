"""Tables of the check: see ``schema`` for how a line reads. Source: our protocol notes, §3.3 to §3.8."""

from typing import Final

CHECK_TABLES: Final = {
    "CHECK": """
        CHECKHEAD part:CHECKHEAD R
        CHECKTOTAL part:CHECKTOTAL
        CHECKPAY rows:CHECKPAY
        CHECKTAX rows:CHECKTAX
        CHECKPTKS part:CHECKPTKS
        CHECKDUTYFREE rows:CHECKDUTYFREE
        CHECKDUTYFREEREMAINS rows:CHECKDUTYFREEREMAINS
        CHECKBODY rows:CHECKBODY
        """,
    "CHECKHEAD": """
        DOCTYPE nonneg R
        DOCSUBTYPE nonneg
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
        ORDERRETCASHREGNUM pos
        ORDERRETDATE date
        ORDERRETNUM s128
        ORDERSTORNUM s128
        OPERTYPENM s128
        VEHICLERN s64
        REVOKELASTONLINEDOC bool
        CASHIER s128
        LOGOURL s256
        COMMENT text
        VER int R
        ORDERTAXNUM s128
        OFFLINE bool
        PREVDOCHASH s64
        REVOKED bool
        STORNED bool
        TESTING bool
        """,
    "CHECKTOTAL": """
        SUM d2
        PWNSUMISSUED d2
        PWNSUMRECEIVED d2
        RNDSUM d2
        NORNDSUM d2
        NOTAXSUM d2
        COMMISSION d2
        USAGETYPE nonneg
        SUBCHECK d2
        DISCOUNTTYPE nonneg
        DISCOUNTPERCENT d2
        DISCOUNTSUM d2
        PARTPAYTYPE nonneg
        PARTPAYPERCENT d2
        PARTPAYSUM d2
        PARTPAYORDPREPAYNUM s128
        """,
    "CHECKPAY": """
        PAYFORMCD nonneg R
        PAYFORMNM text R
        SUM d2
        PROVIDED d2
        REMAINS d2
        PAYSYS rows:PAYSYS
        """,
    "PAYSYS": """
        TAXNUM s128
        NAME text
        ACQUIREID s128
        ACQUIREPN s128
        ACQUIRENM text
        ACQUIRETRANSID s128
        POSTRANSDATE datetime
        POSTRANSNUM s128
        DEVICEID s128
        EPZDETAILS s128
        AUTHCD s64
        CLIENTINFO s256
        SUM d2
        COMMISSION d2
        """,
    "CHECKTAX": """
        TYPE nonneg R
        NAME s64 R
        LETTER s1
        PRC d2 R
        SIGN bool
        TURNOVER d2 R
        TURNOVERDISCOUNT d2
        SOURCESUM d2
        SUM d2 R
        """,
    "CHECKPTKS": """
        PTKSPN s128
        PTKSNM text
        PAYSYSTEMPN s128
        PAYSYSTEMNM text
        ACQUIREID s128
        ACQUIREPN s128
        ACQUIRENM text
        ACQUIRETRANSID s128
        POSTRANSDATE datetime
        POSTRANSNUM s128
        DEVICEID s128
        EPZDETAILS s128
        AUTHCD s64
        TERMINALNUM s64
        TERMINALADDR text
        OPERNUM s64
        OPERSYSNUM s64
        BANKCD s15
        BANKNM text
        """,
    "CHECKDUTYFREE": """
        PASSPORTDOC s128 R
        PASSPORTCOUNTRY s128 R
        VALCD pos R
        VALSYMCD s64 R
        VALNM text
        VALCOURSE d8
        SUM d2 R
        PROVIDED d2
        """,
    "CHECKDUTYFREEREMAINS": """
        VALCD pos R
        VALSYMCD s64 R
        VALNM text
        VALCOURSE d8
        VALSUM d2 R
        SUM d2 R
        """,
    "CHECKBODY": """
        CODE s64
        BARCODE s64
        UKTZED uktzed | DKPP dkpp
        NAME s1024
        DESCRIPTION text
        UNITCD n5
        UNITNM s64
        AMOUNT d3
        TOBACCOWEIGHT d3
        TOBACCOQT n5
        ALCOSTRENGTH d3
        ALCOVOL d3
        PRICE d2
        LETTERS s15
        COST d2
        RECIPIENTNM text
        RECIPIENTIPN ipn
        BANKCD s15
        BANKNM text
        BANKRS s64
        PAYDETAILS text
        PAYPURPOSE s128
        PAYERNM text
        PAYERIPN ipn
        PAYERPACTNUM text
        PAYDETAILSP text
        BASISPAY text
        PTKSDEPTNUM s128
        PROVIDERNM text
        PROVIDERTIN tin
        PROVIDERRCPRS s64
        TRANSFERID s128
        PAYOUTTYPE s1
        FUELORDERNUM s128
        FUELUNITNM text
        FUELTANKNUM s64
        FUELCOLUMNNUM s64
        FUELFAUCETNUM s64
        FUELSALESIGN bool
        VALCD pos
        VALSYMCD s64
        VALNM text
        VALOPERTYPE nonneg
        VALOUTCD pos
        VALOUTSYMCD s64
        VALOUTNM text
        VALCOURSE d8
        VALCOURSEDATE datetime
        VALFOREIGNSUM d2
        VALNATIONALSUM d2
        VALCOMMISSION d2
        VALOPERCNT n5
        VALREFUSESELL bool
        PWNDIR bool
        USAGETYPE nonneg
        DISCOUNTTYPE nonneg
        SUBTOTAL d2
        DISCOUNTNUM pos
        DISCOUNTTAX s1
        DISCOUNTPERCENT d2
        DISCOUNTSUM d2
        PARTPAYSUM d2
        COMMENT text
        EXCISELABELS rows:EXCISELABELS
        """,
    "EXCISELABELS": """
        EXCISELABEL s64 R
        """,
}
