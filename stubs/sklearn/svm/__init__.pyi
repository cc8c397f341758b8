from sklearn.svm._classes import LinearSVC as LinearSVC
