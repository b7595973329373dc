"""Two official samples that the shared folder lacks, element for element as the tax service published them.

They belong to the archives of samples beside the descriptions of its server of 2023 («Два податки») and 2025
(«Засоби оплат»).
"""

TWO_TAXES = """<?xml version="1.0" encoding="windows-1251"?>
<CHECK xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="check01.xsd">
  <CHECKHEAD>
    <DOCTYPE>0</DOCTYPE>
    <DOCSUBTYPE>0</DOCSUBTYPE>
    <UID>73617BB1-CC9F-4023-9213-19B5012B93FE</UID>
    <TIN>99900000</TIN>
    <IPN>999000000009</IPN>
    <ORGNM>ТОВ "Тест"</ORGNM>
    <POINTNM>Кафе "Пончик"</POINTNM>
    <POINTADDR>ПІВНІЧНО-ЗАХІДНА ЧАСТИНА ШЕЛЬФУ ЧОРНОГО МОРЯ</POINTADDR>
    <ORDERDATE>24112020</ORDERDATE>
    <ORDERTIME>154331</ORDERTIME>
    <ORDERNUM>489</ORDERNUM>
    <CASHDESKNUM>1</CASHDESKNUM>
    <CASHREGISTERNUM>4000004601</CASHREGISTERNUM>
    <CASHIER>Печатка №55555 для РРО Товариство з обмеженою відповідальністю "</CASHIER>
    <VER>0</VER>
    <ORDERTAXNUM>177086</ORDERTAXNUM>
  </CHECKHEAD>
  <CHECKTOTAL>
    <SUM>259.90</SUM>
  </CHECKTOTAL>
  <CHECKPAY>
    <ROW ROWNUM="1">
      <PAYFORMCD>1</PAYFORMCD>
      <PAYFORMNM>КАРТКА</PAYFORMNM>
      <SUM>259.90</SUM>
      <PROVIDED>259.90</PROVIDED>
    </ROW>
  </CHECKPAY>
  <CHECKTAX>
    <ROW ROWNUM="1">
      <TYPE>0</TYPE>
      <NAME>ПДВ</NAME>
      <LETTER>А</LETTER>
      <PRC>20.00</PRC>
      <TURNOVER>259.90</TURNOVER>
      <SOURCESUM>247.52</SOURCESUM>
      <SUM>41.25</SUM>
    </ROW>
    <ROW ROWNUM="2">
      <TYPE>1</TYPE>
      <NAME>Акциз</NAME>
      <LETTER>Г</LETTER>
      <PRC>5.00</PRC>
      <TURNOVER>259.90</TURNOVER>
      <SOURCESUM>259.90</SOURCESUM>
      <SUM>12.38</SUM>
    </ROW>
  </CHECKTAX>
  <CHECKBODY>
    <ROW ROWNUM="1">
      <CODE>22</CODE>
      <UKTZED>2710124512</UKTZED>
      <NAME>Вино розливне "Каберне Совиньон Винодельческая станция"</NAME>
      <UNITNM>л</UNITNM>
      <AMOUNT>10.000</AMOUNT>
      <PRICE>25.99</PRICE>
      <LETTERS>АГ</LETTERS>
      <COST>259.90</COST>
      <EXCISELABELS>
        <ROW ROWNUM="1">
          <EXCISELABEL>AATE508932 0000412168</EXCISELABEL>
        </ROW>
      </EXCISELABELS>
    </ROW>
  </CHECKBODY>
</CHECK>
""".encode("cp1251")

PAYMENT_FORMS = """<?xml version="1.0" encoding="windows-1251"?>
<CHECK xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="check01.xsd">
  <CHECKHEAD>
    <DOCTYPE>0</DOCTYPE>
    <DOCSUBTYPE>0</DOCSUBTYPE>
    <UID>E8CCC4E4-8E4E-493B-8DCA-C89E5EF31B1D</UID>
    <TIN>34554363</TIN>
    <IPN>123456789020</IPN>
    <ORGNM>ТОВ "Тестування ПРРО"</ORGNM>
    <POINTNM>Магазин "Тестування"</POINTNM>
    <POINTADDR>УКРАЇНА, М.КИЇВ</POINTADDR>
    <ORDERDATE>24022025</ORDERDATE>
    <ORDERTIME>174045</ORDERTIME>
    <ORDERNUM>4434</ORDERNUM>
    <CASHDESKNUM>323</CASHDESKNUM>
    <CASHREGISTERNUM>4000365578</CASHREGISTERNUM>
    <CASHIER>Тест С. К.</CASHIER>
    <VER>1</VER>
  </CHECKHEAD>
  <CHECKTOTAL>
    <SUM>100.00</SUM>
  </CHECKTOTAL>
  <CHECKPAY>
    <ROW ROWNUM="1">
      <PAYFORMCD>0</PAYFORMCD>
      <PAYFORMNM>ГОТІВКА</PAYFORMNM>
      <SUM>50.00</SUM>
      <PROVIDED>50.00</PROVIDED>
      <REMAINS>0.00</REMAINS>
    </ROW>
    <ROW ROWNUM="2">
      <PAYFORMCD>301</PAYFORMCD>
      <PAYFORMNM>КАРТКА</PAYFORMNM>
      <SUM>1.00</SUM>
      <PAYSYS>
        <ROW ROWNUM="1">
          <NAME>Visa Credit</NAME>
          <ACQUIRENM>Тест Банк</ACQUIRENM>
          <POSTRANSDATE>24022025184440</POSTRANSDATE>
          <POSTRANSNUM>800</POSTRANSNUM>
          <DEVICEID>T0261154</DEVICEID>
          <EPZDETAILS>479072**********</EPZDETAILS>
          <AUTHCD>130432</AUTHCD>
          <SUM>1.00</SUM>
        </ROW>
      </PAYSYS>
    </ROW>
    <ROW ROWNUM="3">
      <PAYFORMCD>306</PAYFORMCD>
      <PAYFORMNM>ПЕРЕКАЗ З ПОТОЧНОГО РАХУНКУ</PAYFORMNM>
      <SUM>20.00</SUM>
    </ROW>
    <ROW ROWNUM="4">
      <PAYFORMCD>305</PAYFORMCD>
      <PAYFORMNM>СЕРТИФІКАТ</PAYFORMNM>
      <SUM>10.00</SUM>
    </ROW>
    <ROW ROWNUM="5">
      <PAYFORMCD>100000</PAYFORMCD>
      <PAYFORMNM>ПРЯМИЙ ДЕБЕТ</PAYFORMNM>
      <SUM>19.00</SUM>
    </ROW>
  </CHECKPAY>
  <CHECKTAX>
    <ROW ROWNUM="1">
      <TYPE>0</TYPE>
      <NAME>ПДВ</NAME>
      <LETTER>А</LETTER>
      <PRC>20.00</PRC>
      <TURNOVER>100.00</TURNOVER>
      <SOURCESUM>100.00</SOURCESUM>
      <SUM>16.67</SUM>
    </ROW>
  </CHECKTAX>
  <CHECKBODY>
    <ROW ROWNUM="1">
      <CODE>00000159965</CODE>
      <BARCODE>234434343434</BARCODE>
      <NAME>Книга </NAME>
      <UNITCD>2009</UNITCD>
      <UNITNM>шт</UNITNM>
      <AMOUNT>1.000</AMOUNT>
      <PRICE>100.00</PRICE>
      <LETTERS>А</LETTERS>
      <COST>100.00</COST>
    </ROW>
  </CHECKBODY>
</CHECK>
""".encode("cp1251")
