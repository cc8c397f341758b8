import numpy as np
import numpy.typing as npt

def log_softmax(x: npt.NDArray[np.float64], axis: int | None = None) -> npt.NDArray[np.float64]: ...
