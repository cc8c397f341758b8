from sklearn.metrics._classification import brier_score_loss as brier_score_loss
from sklearn.metrics._classification import f1_score as f1_score
from sklearn.metrics._ranking import average_precision_score as average_precision_score
from sklearn.metrics._ranking import roc_auc_score as roc_auc_score
