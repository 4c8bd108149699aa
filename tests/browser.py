"""The pages in a real browser: log in, ask, read a record, import; in three languages and both directions,
wide and narrow, light and dark; with scripts switched off. `--pictures DIR` keeps screenshots."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

if not shutil.which("chromium") or not shutil.which("chromedriver"):
    print("skipped: chromium or chromedriver is not to be had on this machine")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

manara = str(pathlib.Path(sys.argv[1]).resolve())
pictures = pathlib.Path(sys.argv[sys.argv.index("--pictures") + 1]) if "--pictures" in sys.argv else None
root = pathlib.Path(__file__).resolve().parent.parent
passed = 0


def check(what, good):
    global passed
    assert good, what
    passed += 1


def browser(profile, dark=False, width=1280):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={profile}", f"--window-size={width},1000"]
    if dark:
        flags.append("--blink-settings=preferredColorScheme=0")
    for flag in flags:
        options.add_argument(flag)
    # The pages work without JavaScript: so they are tested without.
    options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def press(driver, selector):
    """Clicks, and waits until the next page is there."""
    old = driver.find_element(By.TAG_NAME, "html")
    driver.find_element(By.CSS_SELECTOR, selector).click()

    def gone(_):
        try:
            old.is_enabled()
            return False
        except WebDriverException:
            return True

    WebDriverWait(driver, 20).until(gone)
    WebDriverWait(driver, 20).until(lambda d: d.find_elements(By.TAG_NAME, "footer"))


def picture(driver, name):
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(pictures / f"{name}.png"))


with tempfile.TemporaryDirectory() as folder:
    data = f"{folder}/node"
    made = json.loads(subprocess.check_output([manara, "init", "--data", data, "--org", "CERT Browser", "--country", "MY", "--admin", "admin@cert.example", "--json"]))
    subprocess.check_call([manara, "org", "add", "--data", data, "--name", "Bank Example", "--country", "TR"], stdout=subprocess.DEVNULL)
    subprocess.run([manara, "import", "--data", data, "--tlp", "green", str(root / "fixtures/misp")], check=True, capture_output=True)
    server = subprocess.Popen([manara, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log", "error"], stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[-1]
        # Itself as a partner, and one that is away.
        for name, address in [("شريك Partner", url), ("Away", "http://127.0.0.1:9")]:
            body = json.dumps({"name": name, "url": address, "authkey": made["api_key"], "pull": True, "push": name == "Away"}).encode()
            headers = {"Authorization": made["api_key"], "Content-Type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(f"{url}/servers/add", body, headers), timeout=30).read()
        driver = browser(f"{folder}/profile")
        driver.get(url + "/records")
        check("without a session, to the log-in", driver.current_url.endswith("/login"))
        picture(driver, "login-en")

        def log_in(driver, password):
            driver.find_element(By.ID, "email").send_keys("admin@cert.example")
            driver.find_element(By.ID, "password").send_keys(password)
            press(driver, "main button")

        log_in(driver, "wrong")
        check("a wrong password says so", driver.find_elements(By.CSS_SELECTOR, "[role=alert]"))
        log_in(driver, made["password"])
        check("logged in", driver.find_elements(By.ID, "q"))

        def ask(driver, text):
            driver.get(url + "/")
            driver.find_element(By.ID, "q").send_keys(text)
            press(driver, ".ask button")

        for code, direction in [("en", "ltr"), ("ar", "rtl"), ("fr", "ltr")]:
            driver.get(f"{url}/language/{code}")
            driver.get(url + "/")
            html = driver.find_element(By.TAG_NAME, "html")
            check(f"{code}: language", html.get_attribute("lang") == code)
            check(f"{code}: direction", html.get_attribute("dir") == direction)
            ask(driver, "We saw afghanistan[.]mamba[.]xyz, 5.101.6[.]132 and unknown-name.com")
            values = [e.text for e in driver.find_elements(By.CSS_SELECTOR, ".answer h2 .value")]
            check(f"{code}: values found", "5.101.6.132" in values and "unknown-name.com" in values)
            check(f"{code}: values read left to right", all(e.get_attribute("dir") == "ltr" for e in driver.find_elements(By.CSS_SELECTOR, ".value")))
            picture(driver, f"search-{code}")
            press(driver, ".answer table a")
            check(f"{code}: the record's page", "/records/" in driver.current_url and driver.find_elements(By.CSS_SELECTOR, ".yes"))
            picture(driver, f"record-{code}")
            driver.get(url + "/records")
            check(f"{code}: 26 records", len(driver.find_elements(By.CSS_SELECTOR, "tbody tr")) == 26)
            picture(driver, f"records-{code}")
            driver.get(url + "/import")
            driver.find_element(By.ID, "text").send_keys(f"bad-{code}.example.com\n192.0.2.{len(code)}\n")
            press(driver, "main button")
            check(f"{code}: imported", driver.find_elements(By.CSS_SELECTOR, "[role=status]"))
            picture(driver, f"import-{code}")
            ask(driver, f"bad-{code}.example.com")
            check(f"{code}: and found", driver.find_elements(By.CSS_SELECTOR, ".answer table a"))
            driver.get(url + "/account")
            driver.find_element(By.ID, "password").send_keys(made["password"])
            driver.find_element(By.ID, "note").send_keys(f"sensor {code}")
            press(driver, "button[value=key]")
            check(f"{code}: a key is made", driver.find_elements(By.CSS_SELECTOR, "[role=status] code"))
            check(f"{code}: and listed", f"sensor {code}" in driver.page_source)
            picture(driver, f"account-{code}")
            for n in range(2):
                driver.get(url + "/peers")
                press(driver, f"section:nth-of-type({n + 1}) button[value=pull]")
            wait_for = time.monotonic() + 20
            while "not reached" not in driver.page_source or driver.find_elements(By.CSS_SELECTOR, "section:first-of-type .badge.hot"):
                assert time.monotonic() < wait_for, driver.page_source
                time.sleep(0.1)
                driver.get(url + "/peers")
            check(f"{code}: how it stands with peers", len(driver.find_elements(By.CSS_SELECTOR, "main section")) == 2 and driver.find_elements(By.CSS_SELECTOR, ".badge.yes"))
            check(f"{code}: a peer's address reads left to right", all(e.get_attribute("dir") == "ltr" for e in driver.find_elements(By.CSS_SELECTOR, "main .value")))
            check(f"{code}: its key is nowhere", made["api_key"] not in driver.page_source)
            picture(driver, f"peers-{code}")
            missing = re.findall(r">\s*(?:nav|peers|import)-[a-z-]+\s*<", driver.page_source)
            check(f"{code}: no text of the peers is missing", not missing)
            driver.get(url + "/account")
            subprocess.run([manara, "record", "list", "--data", data], check=True, capture_output=True)
            # Only the 26 events are counted above.
            listed = json.loads(subprocess.check_output([manara, "record", "list", "--data", data, "--json"]))
            for record in listed:
                if record["kind"] == "list":
                    subprocess.check_call([manara, "record", "withdraw", "--data", data, record["uuid"]], stdout=subprocess.DEVNULL)
            missing = re.findall(r">\s*(?:nav|search|record|import|answer|login|account)-[a-z-]+\s*<", driver.page_source)
            check(f"{code}: no text is missing", not missing)
        trouble = [line for line in driver.get_log("browser") if line["level"] == "SEVERE" and "401" not in line["message"]]
        check(f"nothing refused by the policy of the pages: {trouble}", not trouble)
        check("markup from a record is text", "<script" not in driver.page_source)
        ask(driver, "<script>alert(1)</script>")
        check("markup from a reader is text", "<script" not in driver.page_source)
        cookie = next(c for c in driver.get_cookies() if c["name"] == "manara_session")
        check("the cookie is out of reach", cookie["httpOnly"] and cookie["sameSite"] == "Strict")

        for name, dark, width in [("dark", True, 1280), ("narrow", False, 500)]:
            other = browser(f"{folder}/{name}", dark, width)
            other.get(f"{url}/language/ar")
            other.get(url + "/login")
            log_in(other, made["password"])
            ask(other, "5.101.6[.]132")
            picture(other, f"search-ar-{name}")
            press(other, ".answer table a")
            picture(other, f"record-ar-{name}")
            width_now = int(other.find_element(By.TAG_NAME, "body").size["width"])
            check(f"{name}: nothing is cut off", width_now <= width)
            other.get(url + "/peers")
            picture(other, f"peers-ar-{name}")
            check(f"{name}: nothing of the peers is cut off", int(other.find_element(By.TAG_NAME, "body").size["width"]) <= width)
            other.quit()

        driver.get(url + "/")
        press(driver, ".who button")
        driver.get(url + "/records")
        check("logged out", driver.current_url.endswith("/login"))
        driver.quit()
    finally:
        server.terminate()
        check("the server ends cleanly", server.wait(timeout=10) == 0)

print(f"{passed} passed, 0 failed")
