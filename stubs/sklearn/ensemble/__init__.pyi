from sklearn.ensemble._forest import (
    RandomForestClassifier as RandomForestClassifier,
)
from sklearn.ensemble._forest import (
    RandomForestRegressor as RandomForestRegressor,
)
