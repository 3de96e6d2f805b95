"""Opening, keeping, exporting; clipboard, drag and drop."""
