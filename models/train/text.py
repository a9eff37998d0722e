"""How a text becomes words. embed/text.go does the same splitting at run time."""

import re
import unicodedata

# Names whose inner capitals do not part two words.
BRANDS = (
    "GitHub GitLab BitBucket YouTube LinkedIn OpenAI WhatsApp PayPal JavaScript TypeScript CoffeeScript "
    "PostgreSQL MySQL SQLite MongoDB DynamoDB DocumentDB CosmosDB MariaDB InfluxDB ChromaDB DuckDB BigQuery "
    "GraphQL WordPress DevOps HubSpot ClickUp QuickBooks SharePoint OneDrive OneNote PowerPoint PowerShell "
    "SendGrid MailChimp CloudFront CloudWatch CloudFormation CloudTrail ElasticSearch OpenSearch OpenAPI "
    "TikTok DeepSeek CoinGecko DocuSign DropBox FaceBook SalesForce ServiceNow TradingView BitCoin LaTeX ChatGPT "
    "DuckDuckGo GoDaddy WooCommerce CircleCI PyTorch TensorFlow LangChain LlamaIndex NumPy"
).split()
_BRAND = re.compile("|".join(sorted(BRANDS, key=len, reverse=True)))
_JOINTS = re.compile(r"[_\-./:]+")
_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_ACRONYM = re.compile(r"([A-Z])([A-Z][a-z])")
_ASCII = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")


def split_identifiers(text: str) -> str:
    """getUserById, get_user-by.id -> get User By Id; brand names stay whole."""
    text = _BRAND.sub(lambda m: m.group().capitalize(), text)
    text = _JOINTS.sub(" ", text)
    return _ACRONYM.sub(r"\1 \2", _HUMP.sub(r"\1 \2", text))


def tool_text(name: str, description: str, parameters=(), server: str = "") -> str:
    """The passage that stands for a tool: server, name, description, parameter names."""
    head = f"{server}. {name}" if server else name
    return " ".join([f"{head}.", description or "", *parameters]).strip()


def words(text: str) -> list[str]:
    """The words of a split text, as BertNormalizer (lower case, no accents) and BertPreTokenizer part them."""
    text = text.lower()
    if text.isascii():
        return _ASCII.findall(text)
    out = []
    for char in unicodedata.normalize("NFD", text):
        kind = unicodedata.category(char)
        if kind == "Mn" or (kind in ("Cc", "Cf") and not char.isspace()):
            continue
        alone = kind[0] == "P" or char.isascii() and not char.isalnum() or _is_ideograph(char)
        out.append(f" {char} " if alone else char)
    return "".join(out).split()


def _is_ideograph(char: str) -> bool:
    point = ord(char)
    return 0x4E00 <= point <= 0x9FFF or 0x3400 <= point <= 0x4DBF or 0xF900 <= point <= 0xFAFF or 0x20000 <= point <= 0x2FA1F
