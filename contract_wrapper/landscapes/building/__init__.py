"""Landscapes made: settings, one seed after another, and the folder that keeps them."""
