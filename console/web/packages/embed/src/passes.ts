/** Whether what failed may be answered later by itself, so that what was shown is not wrong. */
export const passes = (code: string | undefined, status = 0): boolean => status >= 500 || /^(UNAVAILABLE|TIMEOUT|TOO_MANY_REQUESTS|NETWORK)$/.test(code ?? '');
