from sklearn.datasets._base import load_breast_cancer as load_breast_cancer
from sklearn.datasets._base import load_diabetes as load_diabetes
from sklearn.datasets._base import load_digits as load_digits
from sklearn.datasets._base import load_iris as load_iris
