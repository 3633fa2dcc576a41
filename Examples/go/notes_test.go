// Tests in Go, which need nothing but the URL that `mockserve run` gives them.
package notes

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

func baseURL(t *testing.T) string {
	url := os.Getenv("MOCKSERVE_URL")
	if url == "" {
		t.Skip("run with: mockserve run notes.cassette -- go test ./...")
	}
	return url
}

func logIn(t *testing.T, user, password string) (*http.Response, map[string]string) {
	body := strings.NewReader(`{"user": "` + user + `", "password": "` + password + `"}`)
	answer, err := http.Post(baseURL(t)+"/login", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var members map[string]string
	if err := json.NewDecoder(answer.Body).Decode(&members); err != nil {
		t.Fatal(err)
	}
	return answer, members
}

func TestAUserLogsIn(t *testing.T) {
	answer, members := logIn(t, "ada", "enchantress-1843")
	if answer.StatusCode != 200 || members["user"] != "ada" || members["csrf_token"] == "" {
		t.Fatalf("%v %v", answer.Status, members)
	}
	request, _ := http.NewRequest("GET", baseURL(t)+"/me", nil)
	for _, cookie := range answer.Cookies() {
		request.AddCookie(cookie)
	}
	me, err := http.DefaultClient.Do(request)
	if err != nil || me.StatusCode != 200 {
		t.Fatal(me, err)
	}
	me.Body.Close()
}

func TestAWrongPasswordIsRefused(t *testing.T) {
	if answer, _ := logIn(t, "ada", "guess"); answer.StatusCode != 401 {
		t.Fatal(answer.Status)
	}
}
