
express-payExpress pay button in checkout
production"shop2´
+https://wiki.example/acceptance/express-payJ
sha256@0000000000000000000000000000000000000000000000000000000000000000
paulaproduct-owner€š˜ÃŸ4 (2paying takes one click:‡0002_express_pay.sql2"J
sha256@1111111111111111111111111111111111111111111111111111111111111111*shop-db2migrations/0002.sql8:w	shop.yamlr2"J
sha256@1111111111111111111111111111111111111111111111111111111111111111*shop-config2	config/r28:kshop1.1"J
sha256@1111111111111111111111111111111111111111111111111111111111111111*shop2shop/1.18@J+
express-payshows the express pay buttonR
internalgroup=staff ¬R
beta
 ¬R
gradual2 ¬R
fulld ¬Z‡
deployment_steps'https://wiki.example/express-pay/deployJ
sha256@0000000000000000000000000000000000000000000000000000000000000000Z?
configuration.https://wiki.example/express-pay/configurationZ5
rollback)https://wiki.example/express-pay/rollbackZ3
runbook(https://wiki.example/express-pay/runbookZ=
requirements-https://wiki.example/express-pay/requirementsZ?
observability.https://wiki.example/express-pay/observabilityb
unit¸"https://ci.example/1b$

end-to-end)"https://ci.example/2j	SHOP-4182rcanaryŠpayment provider limits¢1
	dashboardshophttps://grafana.example/d/shopªcheckout