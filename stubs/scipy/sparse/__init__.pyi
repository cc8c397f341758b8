from scipy.sparse._csr import csr_array as csr_array
