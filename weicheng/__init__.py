"""Weicheng 卫城: create and keep a National Hygienic City, from records made once where the work happens."""

__version__ = "0.2.0"
