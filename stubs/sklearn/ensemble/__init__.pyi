from sklearn.ensemble._forest import (
    ExtraTreesClassifier as ExtraTreesClassifier,
)
from sklearn.ensemble._forest import (
    ExtraTreesRegressor as ExtraTreesRegressor,
)
from sklearn.ensemble._forest import (
    RandomForestClassifier as RandomForestClassifier,
)
from sklearn.ensemble._forest import (
    RandomForestRegressor as RandomForestRegressor,
)
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import (
    HistGradientBoostingClassifier as HistGradientBoostingClassifier,
)
from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import (
    HistGradientBoostingRegressor as HistGradientBoostingRegressor,
)
