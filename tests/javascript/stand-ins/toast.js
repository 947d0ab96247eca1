// Notices that nobody sees.

export const toasts = [];
export const toast = (text) => toasts.push(text);
