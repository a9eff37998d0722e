package embed

import (
	"strings"
	"unicode"
)

// maxRunes of a text are read: the tokenizer's time grows with the square of the
// length, and a model reads 128 tokens at most.
const maxRunes = 1000

// brands are names whose inner capitals do not part two words. The same list is
// in models/train/text.py; a model is trained with it.
var brands = strings.Fields(`
	GitHub GitLab BitBucket YouTube LinkedIn OpenAI WhatsApp PayPal JavaScript TypeScript CoffeeScript
	PostgreSQL MySQL SQLite MongoDB DynamoDB DocumentDB CosmosDB MariaDB InfluxDB ChromaDB DuckDB BigQuery
	GraphQL WordPress DevOps HubSpot ClickUp QuickBooks SharePoint OneDrive OneNote PowerPoint PowerShell
	SendGrid MailChimp CloudFront CloudWatch CloudFormation CloudTrail ElasticSearch OpenSearch OpenAPI
	TikTok DeepSeek CoinGecko DocuSign DropBox FaceBook SalesForce ServiceNow TradingView BitCoin LaTeX ChatGPT
	DuckDuckGo GoDaddy WooCommerce CircleCI PyTorch TensorFlow LangChain LlamaIndex NumPy`)

var wholeBrands = newBrandReplacer()

func newBrandReplacer() *strings.Replacer {
	pairs := make([]string, 0, 2*len(brands))
	for _, b := range brands {
		pairs = append(pairs, b, b[:1]+strings.ToLower(b[1:]))
	}
	return strings.NewReplacer(pairs...)
}

// readable cuts a text to maxRunes, parts its identifiers (getUserByID -> get
// User By ID), drops invisible characters, and breaks literals that a tokenizer
// would take for its own marks, such as [SEP].
func readable(text string) string {
	runes := []rune(wholeBrands.Replace(cut(text, maxRunes)))
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	for i, r := range runes {
		switch {
		case strings.ContainsRune("_-./:", r):
			r = ' '
		case r == '[' || r == '<':
			b.WriteRune(r)
			r = ' '
		case unicode.Is(unicode.Cf, r):
			continue
		case i > 0 && startsWord(runes, i):
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// startsWord reports whether a capital at i begins a word inside an identifier.
func startsWord(runes []rune, i int) bool {
	before, at := runes[i-1], runes[i]
	if !isUpper(at) {
		return false
	}
	if isUpper(before) {
		return i+1 < len(runes) && isLower(runes[i+1])
	}
	return isLower(before) || '0' <= before && before <= '9'
}

func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }
func isLower(r rune) bool { return 'a' <= r && r <= 'z' }

// cut returns at most n runes of text.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
