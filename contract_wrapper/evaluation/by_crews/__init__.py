"""Contracts judged by crews that know all of them: trained once, kept in a folder, played under each contract."""
