// Notices that nobody is shown.

export const toasts = [];
export const toast = (text) => toasts.push(text);
