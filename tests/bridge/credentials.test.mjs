// Credentials come from files and the environment, and not from an argument.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { bridge, ROOT, withServer } from './server.mjs'

const room = fs.mkdtempSync(path.join(os.tmpdir(), 'polyproc-credentials-'))
const inRoom = (name) => path.join(room, name)
after(() => fs.rmSync(room, { recursive: true }))

/** The exit code and the complaints of `polyproc bridge setup`. */
const setup = (address, { options = [], env = {} } = {}) => bridge(['setup', `${address}/JOBS`, ...options], env).slice(0, 2)

test('a token, a user and a password', async () => {
  fs.writeFileSync(inRoom('token'), 'secret\n')
  await withServer(room, ['authorization { token: "secret" }'], (port) => {
    const address = `nats://127.0.0.1:${port}`
    assert.match(setup(address)[1], /authorization/)
    assert.deepEqual(setup(address, { options: ['--token-file', inRoom('token')] }), [0, ''])
    assert.deepEqual(setup(address, { env: { NATS_TOKEN: 'secret' } }), [0, ''])
    assert.equal(setup(address, { env: { NATS_TOKEN: 'wrong' } })[0], 1)
  })
  await withServer(room, ['authorization { user: "me", password: "secret" }'], (port) => {
    assert.deepEqual(setup(`nats://127.0.0.1:${port}`, { env: { NATS_USER: 'me', NATS_PASSWORD: 'secret' } }), [0, ''])
    const [code, complaint] = setup(`nats://me:secret@127.0.0.1:${port}`)
    assert.equal(code, 2)
    assert.match(complaint, /in a file or in the environment/)
  })
})

test("a file of credentials of an operator's user", async () => {
  const lines = execFileSync(path.join(ROOT, 'build/bridge/operator'), [room], { encoding: 'utf8' })
  await withServer(room, [lines], (port) => {
    const address = `nats://127.0.0.1:${port}`
    const user = inRoom('user.creds')
    assert.deepEqual(setup(address, { options: ['--creds', user] }), [0, ''])
    assert.deepEqual(setup(address, { env: { NATS_CREDS: user } }), [0, ''])
    for (const options of [[], ['--creds', inRoom('stranger.creds')]]) {
      const [code, said] = setup(address, { options })
      assert.equal(code, 1)
      assert.match(said, /authorization/i)
    }
    fs.writeFileSync(inRoom('text.creds'), 'secret\n')
    for (const name of ['missing.creds', 'text.creds']) {
      const [code, said] = setup(address, { options: ['--creds', inRoom(name)] })
      assert.notEqual(code, 0)
      assert.match(said, new RegExp(name))
      assert.doesNotMatch(said, /secret/)
    }
  })
})

test('TLS with certificates of both sides', async () => {
  const openssl = (...argv) => execFileSync('openssl', argv, { cwd: room, stdio: 'ignore' })
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2')
  fs.writeFileSync(inRoom('names'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n')
  for (const name of ['server', 'client']) {
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', `${name}.pem`)
  }
  const tls = `tls { cert_file: "${inRoom('server.pem')}", key_file: "${inRoom('server.key')}", ca_file: "${inRoom('ca.pem')}", verify: true }`
  await withServer(room, [tls], (port) => {
    const address = `tls://127.0.0.1:${port}`
    const options = ['--tls-ca', inRoom('ca.pem'), '--tls-cert', inRoom('client.pem'), '--tls-key', inRoom('client.key')]
    assert.deepEqual(setup(address, { options }), [0, ''])
    assert.equal(setup(address, { options: options.slice(0, 2) })[0], 1)
    assert.equal(setup(address)[0], 1)
  })
})
