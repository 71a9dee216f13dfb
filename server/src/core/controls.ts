// The characters that are not shown but obeyed: controls, breaks of line and paragraph, and the bidirectional overrides by
// which a text is read otherwise than it stands.

/** Fits one of them. */
export const controls = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

/** A text of somebody else's in a sentence of ours: short, and quoted as JSON is. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text)
