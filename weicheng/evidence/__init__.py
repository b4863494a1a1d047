"""凭证: files as received, kept under their digest; display copies derived; capture facts."""
