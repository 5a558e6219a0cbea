"""Search in the texts of documents: their structure, and what a question asks for."""
