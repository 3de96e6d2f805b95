"""Opening, saving and exporting files; clipboard, drag and drop."""
