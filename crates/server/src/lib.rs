//! HTTP doors and pages.
