#ifndef GLC_CZEROMQ_H
#define GLC_CZEROMQ_H
#include <zmq.h>
#endif
