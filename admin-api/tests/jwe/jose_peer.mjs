// A partner with jose: makes tokens for the platform's key, and opens the platform's tokens. One
// JSON text comes in on standard input, one goes out on standard output. The argument is the folder
// in which jose is installed.

import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// Node 18 has it, and does not show it.
globalThis.crypto ??= webcrypto

const folder = join(process.argv[2], 'node_modules', 'jose')
const { version, exports, main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const entry = exports?.['.']?.default ?? exports?.['.']?.import ?? main
const jose = await import(pathToFileURL(join(folder, entry)).href)

const call = JSON.parse(readFileSync(0, 'utf8'))
const { platform } = call
const algorithms = ['RSA-OAEP-256', 'RSA-OAEP']

const lines = platform.publicKey.match(/.{1,64}/g).join('\n')
const wrapped = `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`

const made = []
for (const alg of algorithms) {
  const forms = {
    jwk: await jose.importJWK({ ...platform.jwk, alg }, alg),
    pem: await jose.importSPKI(platform.pem, alg),
    publicKey: await jose.importSPKI(wrapped, alg),
  }
  for (const [form, key] of Object.entries(forms)) {
    for (const kid of [undefined, platform.kid]) {
      for (const payload of call.payloads) {
        const header = { alg, enc: 'A256GCM', ...(kid && { kid }) }
        const token = await new jose.CompactEncrypt(new TextEncoder().encode(payload))
          .setProtectedHeader(header)
          .encrypt(key)
        made.push({ how: `${form} ${alg} ${kid}`, payload, token })
      }
    }
  }
}

const own = await jose.importJWK(call.partner, 'RSA-OAEP-256')
const opened = []
for (const token of call.tokens) {
  const { plaintext } = await jose.compactDecrypt(token, own, {
    keyManagementAlgorithms: ['RSA-OAEP-256'],
    contentEncryptionAlgorithms: ['A256GCM'],
  })
  opened.push(new TextDecoder().decode(plaintext))
}

const { kty, n, e } = call.partner
const shown = await jose.importJWK({ kty, n, e }, 'RSA-OAEP-256', { extractable: true })
const pem = await jose.exportSPKI(shown)
const public_key = Buffer.from(pem).toString('base64')
process.stdout.write(JSON.stringify({ version, made, opened, public_key }))
