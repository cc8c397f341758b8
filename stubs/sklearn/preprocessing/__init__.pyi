from sklearn.preprocessing._data import MaxAbsScaler as MaxAbsScaler
from sklearn.preprocessing._data import MinMaxScaler as MinMaxScaler
from sklearn.preprocessing._data import RobustScaler as RobustScaler
from sklearn.preprocessing._data import StandardScaler as StandardScaler
from sklearn.preprocessing._encoders import OneHotEncoder as OneHotEncoder
