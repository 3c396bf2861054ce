#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# contract.sh - the contract holds with every connector in a process of its own, as it does without.
cd "$(dirname "$0")/../.." || exit 2
ISOLATION=runner exec tests/e2e/contract.sh
