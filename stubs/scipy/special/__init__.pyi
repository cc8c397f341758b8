from scipy.special._logsumexp import log_softmax as log_softmax
