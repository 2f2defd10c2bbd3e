// Operator makes what a server with an operator needs: it writes the credentials of a user into
// FOLDER/user.creds, those of another operator's user into FOLDER/stranger.creds, and prints lines
// of the server's configuration.
//
//	operator FOLDER
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
	return value
}

type signed struct {
	key    nkeys.KeyPair
	public string
	token  string
}

func operator() signed {
	key := must(nkeys.CreateOperator())
	public := must(key.PublicKey())
	return signed{key, public, must(jwt.NewOperatorClaims(public).Encode(key))}
}

func account(operator signed, hasJetStream bool) signed {
	key := must(nkeys.CreateAccount())
	public := must(key.PublicKey())
	claims := jwt.NewAccountClaims(public)
	if hasJetStream {
		claims.Limits.JetStreamLimits = jwt.JetStreamLimits{
			MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit,
		}
	}
	return signed{key, public, must(claims.Encode(operator.key))}
}

func writeUser(account signed, path string) {
	key := must(nkeys.CreateUser())
	token := must(jwt.NewUserClaims(must(key.PublicKey())).Encode(account.key))
	text := must(jwt.FormatUserConfig(token, must(key.Seed())))
	must(0, os.WriteFile(path, text, 0o600))
}

func main() {
	folder := os.Args[1]
	own := operator()
	system, user := account(own, false), account(own, true)
	writeUser(user, filepath.Join(folder, "user.creds"))
	writeUser(account(operator(), true), filepath.Join(folder, "stranger.creds"))
	fmt.Printf("operator: %s\nsystem_account: %s\nresolver: MEMORY\n", own.token, system.public)
	fmt.Printf("resolver_preload: { %s: %s, %s: %s }\n", system.public, system.token, user.public, user.token)
}
