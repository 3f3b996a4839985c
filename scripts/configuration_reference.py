"""Write docs/configuration.md from the schema and from conf/."""

from tem_vae.config.reference import PAGE, render

if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    print(f"Written to {PAGE}")
