// The ids of users and sessions. Knows nothing of what they name.
import { randomBytes } from 'node:crypto'

/**
 * 127 random bits, base64url: 22 characters. The first is a letter, so that an id is pasted after a command as it
 * stands: one that began with a dash would be read as an option.
 */
export function newId(): string {
  const bytes = randomBytes(16)
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0)
  return bytes.toString('base64url')
}
