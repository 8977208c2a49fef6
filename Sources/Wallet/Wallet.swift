internal import Bitcoin
