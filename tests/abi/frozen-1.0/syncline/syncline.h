/* SPDX-License-Identifier: MIT */
/* syncline.h - the one header a connector includes. */
#ifndef SYNCLINE_SYNCLINE_H
#define SYNCLINE_SYNCLINE_H

#include "model.h"
#include "plugin.h"

#endif
