from kdtab.losses.hard import class_weights, cross_entropy_from_logits, squared_error
from kdtab.losses.reduce import weighted_mean
from kdtab.losses.soft import (
    kl_divergence_from_log_probabilities,
    kl_divergence_from_logits,
    log_probabilities_from_probabilities,
    log_probabilities_from_votes,
    tempered_log_probabilities,
)

__all__ = [
    "class_weights",
    "cross_entropy_from_logits",
    "kl_divergence_from_log_probabilities",
    "kl_divergence_from_logits",
    "log_probabilities_from_probabilities",
    "log_probabilities_from_votes",
    "squared_error",
    "tempered_log_probabilities",
    "weighted_mean",
]
