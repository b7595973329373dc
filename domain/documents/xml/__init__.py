"""Fiscal documents to windows-1251 XML and back; the only place of the domain that knows tag names."""

from domain.documents.xml.reading import ReadDocument, from_xml, read_document
from domain.documents.xml.writing import to_xml

__all__ = ["ReadDocument", "from_xml", "read_document", "to_xml"]
