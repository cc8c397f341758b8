from sklearn.preprocessing._data import StandardScaler as StandardScaler
from sklearn.preprocessing._encoders import OneHotEncoder as OneHotEncoder
