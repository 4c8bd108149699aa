"""A wheel with the library in it: `make matching-wheel` builds both."""

from setuptools import setup
from setuptools.dist import Distribution


class WithLibrary(Distribution):
    """For this machine only."""

    def has_ext_modules(self):
        return True


setup(
    name="manara-matching", version="0.1.0", description="Indicators against logs", license="Apache-2.0 OR MIT",
    packages=["manara_matching"], package_data={"manara_matching": ["libmanara_matching_c.*"]}, distclass=WithLibrary,
    python_requires=">=3.9",
)
