"""Aperture edges, and the fraction of every pixel between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["nested_weights", "pixel_weights", "polynomial_edges", "whole_pixels"]

Image = NDArray[np.float64]


def polynomial_edges(coefficients: ArrayLike, independent: Image) -> Image:
    """Evaluate alternating lower and upper edges.

    Parameters
    ----------
    coefficients : sequence of sequence of float, (2 * n_regions)
        Polynomials, constant term first.
    independent : ndarray, (n_disp, 1) or (n_disp, n_xdisp)
        Row numbers or wavelengths.

    Returns
    -------
    ndarray, (n_regions, 2, *independent.shape)
        Edges in exact pixel coordinates: pixel ``i`` reaches from ``i - 0.5`` to ``i + 0.5``.
    """
    edges = [np.polynomial.polynomial.polyval(independent, one) for one in coefficients]
    return np.stack([np.broadcast_to(edge, independent.shape) for edge in edges]).reshape(
        len(edges) // 2, 2, *independent.shape
    )


def pixel_weights(edges: Image, pixels: Image) -> Image:
    """Return the fraction of every pixel that lies in any of the regions.

    Parameters
    ----------
    edges : ndarray, (n_regions, 2, n_disp, 1) or (n_regions, 2, n_disp, n_xdisp)
        Lower and upper edges in exact pixel coordinates; NaN where there is no aperture.
    pixels : ndarray, (n_xdisp,)
        Coordinates of the pixels' centres.

    Returns
    -------
    ndarray, (n_disp, n_xdisp)
        Between 0 and 1. Where regions overlap, their union counts.
    """
    lower = np.where(np.isnan(edges[:, 0]), np.inf, edges[:, 0])
    upper = np.where(np.isnan(edges[:, 1]), -np.inf, edges[:, 1])
    if len(edges) > 1:
        lower, upper = _disjoint(lower, upper)
    overlap = np.minimum(upper, pixels + 0.5) - np.maximum(lower, pixels - 0.5)
    return np.clip(overlap, 0.0, 1.0).sum(axis=0)


def _disjoint(lower: Image, upper: Image) -> tuple[Image, Image]:
    """Cut from every region what an earlier one, counted from the lowest, already covers."""
    order = np.argsort(lower, axis=0)
    lower, upper = (np.take_along_axis(edge, order, axis=0) for edge in (lower, upper))
    covered = np.maximum.accumulate(upper, axis=0)
    return np.concatenate([lower[:1], np.maximum(lower[1:], covered[:-1])]), upper


def whole_pixels(edges: Image, pixels: Image) -> NDArray[np.bool_]:
    """Return which pixels, (n_disp, n_xdisp), lie in one of the regions with their full width."""
    inside = (pixels - 0.5 >= edges[:, 0]) & (pixels + 0.5 <= edges[:, 1])
    return inside.any(axis=0)


def nested_weights(edges: Image, pixels: Image) -> Image:
    """Return the weights that the pipeline's box profile gives, (n_disp, n_xdisp), as `pixel_weights`.

    They differ from the covered fraction in two cases: of a region narrower than a pixel, and of a pixel
    shared by two regions, only the larger part counts (jwst 3.0, ``extract_1d``, box profile).
    """
    first, last = edges[:, 0] + 0.5, edges[:, 1] - 0.5
    weights = np.zeros(np.broadcast_shapes(first.shape[1:], pixels.shape))
    for start, stop in zip(first, last, strict=True):
        weights[(pixels >= start) & (pixels <= stop)] = 1.0
        for part in (pixels - start + 1, stop - pixels + 1):
            larger = (part > 0) & (part < 1) & (part > weights)
            weights = np.where(larger, part, weights)
    return weights
