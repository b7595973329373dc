"""Tax groups as dated rows and the arithmetic of receipts."""
