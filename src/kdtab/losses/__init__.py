from kdtab.losses.balance import (
    Balancer,
    ComplementaryWeight,
    MagnitudeWeights,
    NamedWeights,
    StaticWeights,
)
from kdtab.losses.corrected import (
    label_corrected_kl_divergence,
    label_corrected_log_probabilities,
)
from kdtab.losses.correlation import (
    dist_over_batch,
    inter_class_correlation,
    intra_class_correlation_over_batch,
)
from kdtab.losses.decoupled import (
    decoupled_divergence_from_logits,
    decoupled_divergence_from_two_logits,
    non_target_class_divergence,
    target_class_divergence,
)
from kdtab.losses.divergences import (
    generalized_jensen_shannon_from_logits,
    gkd_jensen_shannon_from_logits,
    reverse_kl_divergence_from_logits,
    soft_cross_entropy_from_logits,
    total_variation_from_logits,
)
from kdtab.losses.features import (
    feature_absolute_error,
    feature_cosine_distance,
    feature_squared_error,
)
from kdtab.losses.hard import class_weights, cross_entropy_from_logits, squared_error
from kdtab.losses.logits import (
    binary_kl_divergence_from_logits,
    logit_squared_error,
    multilabel_kl_divergence_from_logits,
    teacher_label_cross_entropy,
)
from kdtab.losses.quantiles import ordered_quantiles, quantile_distance
from kdtab.losses.reduce import WeightedSum, replaced_rows, weighted_mean, weighted_sum
from kdtab.losses.regression import (
    gaussian_negative_log_likelihood,
    huber_error,
    pinball_error,
    teacher_bounded_squared_error,
)
from kdtab.losses.relational import (
    probabilistic_transfer_over_batch,
    relational_angle_over_batch,
    relational_distance_over_batch,
    similarity_preserving_over_batch,
)
from kdtab.losses.schedules import scheduled_value
from kdtab.losses.sequences import (
    aligned_states,
    pooled_states,
    trajectory_loss,
    weighted_trajectory_loss,
)
from kdtab.losses.soft import (
    kl_divergence_from_log_probabilities,
    kl_divergence_from_logits,
    log_probabilities_from_probabilities,
    log_probabilities_from_votes,
    tempered_log_probabilities,
)
from kdtab.losses.standardized import (
    standardized_kl_divergence_from_logits,
    standardized_logits,
)
from kdtab.losses.uncertainty import UncertaintyWeights
from kdtab.losses.weights import (
    complementary_weight,
    fitted_balancer,
    magnitude_weights,
    named_weights,
    static_weights,
    uncertainty_weights,
)

__all__ = [
    "Balancer",
    "ComplementaryWeight",
    "MagnitudeWeights",
    "NamedWeights",
    "StaticWeights",
    "UncertaintyWeights",
    "WeightedSum",
    "aligned_states",
    "binary_kl_divergence_from_logits",
    "class_weights",
    "complementary_weight",
    "cross_entropy_from_logits",
    "decoupled_divergence_from_logits",
    "decoupled_divergence_from_two_logits",
    "dist_over_batch",
    "feature_absolute_error",
    "feature_cosine_distance",
    "feature_squared_error",
    "fitted_balancer",
    "gaussian_negative_log_likelihood",
    "generalized_jensen_shannon_from_logits",
    "gkd_jensen_shannon_from_logits",
    "huber_error",
    "inter_class_correlation",
    "intra_class_correlation_over_batch",
    "kl_divergence_from_log_probabilities",
    "kl_divergence_from_logits",
    "label_corrected_kl_divergence",
    "label_corrected_log_probabilities",
    "log_probabilities_from_probabilities",
    "log_probabilities_from_votes",
    "logit_squared_error",
    "magnitude_weights",
    "multilabel_kl_divergence_from_logits",
    "named_weights",
    "non_target_class_divergence",
    "ordered_quantiles",
    "pinball_error",
    "pooled_states",
    "probabilistic_transfer_over_batch",
    "quantile_distance",
    "relational_angle_over_batch",
    "relational_distance_over_batch",
    "replaced_rows",
    "reverse_kl_divergence_from_logits",
    "scheduled_value",
    "similarity_preserving_over_batch",
    "soft_cross_entropy_from_logits",
    "squared_error",
    "standardized_kl_divergence_from_logits",
    "standardized_logits",
    "static_weights",
    "target_class_divergence",
    "teacher_bounded_squared_error",
    "teacher_label_cross_entropy",
    "tempered_log_probabilities",
    "total_variation_from_logits",
    "trajectory_loss",
    "uncertainty_weights",
    "weighted_mean",
    "weighted_sum",
    "weighted_trajectory_loss",
]
