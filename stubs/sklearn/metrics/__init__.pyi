from sklearn.metrics._ranking import roc_auc_score as roc_auc_score
