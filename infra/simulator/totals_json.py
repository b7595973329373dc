"""Shift totals as the answer of LastShiftTotals shows them: hryvnias with a point.

JSON numbers are floats on this wire; each is the nearest to a whole number of kopecks.
"""

from typing import Any

from infra.simulator.totals import CurrencyTotal, OrderTotals, ShiftTotals

Json = dict[str, Any]


def totals_json(totals: ShiftTotals) -> Json:
    """The value of ``Totals``."""
    return {
        "Real": _orders(totals.sales),
        "Ret": _orders(totals.returns),
        "Cash": {
            "Sum": _hryvnias(totals.cash.total),
            "Commission": _hryvnias(totals.cash.commission),
            "OrdersCount": totals.cash.count,
        }
        if totals.cash.count
        else None,
        "Currency": _currency(totals) if totals.currency_documents else None,
        "ServiceInput": _hryvnias(totals.service_input),
        "ServiceOutput": _hryvnias(totals.service_output),
    }


def _hryvnias(kopecks: int) -> float:
    return kopecks / 100


def _orders(orders: OrderTotals) -> Json | None:
    if orders.is_empty:
        return None
    return {
        "Sum": _hryvnias(orders.total),
        "PwnSumIssued": _hryvnias(orders.pawn_issued),
        "PwnSumReceived": _hryvnias(orders.pawn_received),
        "RndSum": _hryvnias(orders.rounding),
        "NoRndSum": _hryvnias(orders.unrounded),
        "TotalCurrencySum": _hryvnias(orders.transfers),
        "TotalCurrencyCommission": _hryvnias(orders.transfers_commission),
        "OrdersCount": orders.count,
        "PwnOrdersCountIssued": orders.pawn_issued_count,
        "PwnOrdersCountReceived": orders.pawn_received_count,
        "TotalCurrencyCost": orders.transfers_count,
        "PayForm": [
            {"PayFormCode": code, "PayFormName": name, "Sum": _hryvnias(kopecks)}
            for (code, name), kopecks in sorted(orders.payments.items())
        ],
        "Tax": [
            {
                "Type": tax_type,
                "Name": name,
                "Letter": letter or None,
                "Prc": _hryvnias(rate),
                "Sign": is_added,
                "Turnover": _hryvnias(row.turnover),
                "TurnoverDiscount": _hryvnias(row.turnover_discount),
                "SourceSum": _hryvnias(row.source),
                "Sum": _hryvnias(row.kopecks),
            }
            for (tax_type, letter, name, rate, is_added), row in sorted(orders.taxes.items())
        ],
    }


def _currency(totals: ShiftTotals) -> Json:
    rows = totals.currencies
    return {
        "TotalInAdvance": _hryvnias(sum(row.advance for row in rows.values())),
        "TotalInAttach": _hryvnias(sum(row.attached for row in rows.values())),
        "TotalSurrCollection": _hryvnias(sum(row.collected for row in rows.values())),
        "Commission": _hryvnias(sum(row.commission for row in rows.values())),
        "CalcDocsCnt": totals.currency_documents,
        "AcceptedN": _hryvnias(sum(row.sold_national for row in rows.values())),
        "IssuedN": _hryvnias(sum(row.bought_national for row in rows.values())),
        "CommissionN": 0.0,
        "TransfersCnt": 0,
        "Details": [_currency_row(code, row) for code, row in sorted(rows.items())],
    }


def _currency_row(code: int, row: CurrencyTotal) -> Json:
    return {
        "ValCd": code,
        "ValSymCd": row.symbol,
        "BuyValI": _hryvnias(row.bought),
        "SellValI": _hryvnias(row.sold),
        "BuyValN": _hryvnias(row.bought_national),
        "SellValN": _hryvnias(row.sold_national),
        "StorBuyValI": _hryvnias(row.storno_bought),
        "StorSellValI": _hryvnias(row.storno_sold),
        "StorBuyValN": _hryvnias(row.storno_bought_national),
        "StorSellValN": _hryvnias(row.storno_sold_national),
        "CInValI": 0.0,
        "COutValI": 0.0,
        "Commission": _hryvnias(row.commission),
        "InAdvance": _hryvnias(row.advance),
        "InAttach": _hryvnias(row.attached),
        "SurrCollection": _hryvnias(row.collected),
        "StorCInValI": 0.0,
        "StorCOutValI": 0.0,
        "StorCommission": 0.0,
    }
