/** Addresses, parties, agents and accounts, as all messages share them. The notation is that of `notation.ts`. */
export const partyTypes = `
AddressType2 = ADDR PBOX HOME BIZZ MLTO DLVY
AddressType3 | Cd:AddressType2 Prtry:GenericId30
GenericId30 > Id:X4 Issr:x35 SchmeNm?:x35
GenericId3 > Id:x35 Issr?:x35
GenericId1 > Id:x35 SchmeNm?:x35 Issr?:x35
GenericId32 > Id:x35 Tp?:PartyType3 Issr?:PartyType4 ShrtNm?:x35
PartyType3 = OPOI MERC ACCP ITAG ACQR CISS DLIS
PartyType4 = MERC ACCP ITAG ACQR CISS TAXH

PostalAddress6 > AdrTp?:AddressType2 Dept?:x70 SubDept?:x70 StrtNm?:x70 BldgNb?:x16 PstCd?:x16 TwnNm?:x35 CtrySubDvsn?:x35 Ctry?:country
  AdrLine{0,7}:x70
PostalAddress24 < PostalAddress6 AdrTp:AddressType3 BldgNb>BldgNm?:x35 BldgNm>Flr?:x70 Flr>PstBx?:x16 PstBx>Room?:x70 TwnNm>TwnLctnNm?:x35
  TwnLctnNm>DstrctNm?:x35
NameAndAddress10 > Nm:x140 Adr:PostalAddress6
NameAndAddress16 > Nm:x140 Adr:PostalAddress24

NamePrefix1 = DOCT MIST MISS MADM
NamePrefix2 = DOCT MADM MISS MIST MIKS
ContactDetails2 > NmPrfx?:NamePrefix1 Nm?:x140 PhneNb?:phone MobNb?:phone FaxNb?:phone EmailAdr?:x2048 Othr?:x35
PreferredContactMethod1 = LETT MAIL PHON FAXX CELL
OtherContact1 > ChanlTp:x4 Id?:x128
Contact4 > NmPrfx?:NamePrefix2 Nm?:x140 PhneNb?:phone MobNb?:phone FaxNb?:phone EmailAdr?:x2048 EmailPurp?:x35 JobTitl?:x35 Rspnsblty?:x35
  Dept?:x70 Othr*:OtherContact1 PrefrdMtd?:PreferredContactMethod1

GenericOrganisation1 > Id:x35 SchmeNm?:cd4 Issr?:x35
Organisation4 > BICOrBEI?:bic Othr*:GenericOrganisation1
Organisation8 > AnyBIC?:bic Othr*:GenericOrganisation1
Organisation29 > AnyBIC?:bic2014 LEI?:lei Othr*:GenericOrganisation1
BirthPlace > BirthDt:date PrvcOfBirth?:x35 CityOfBirth:x35 CtryOfBirth:country
Person5 > DtAndPlcOfBirth?:BirthPlace Othr*:GenericOrganisation1
Party6 | OrgId:Organisation4 PrvtId:Person5
Party11 | OrgId:Organisation8 PrvtId:Person5
Party38 | OrgId:Organisation29 PrvtId:Person5
PartyId32 > Nm?:x140 PstlAdr?:PostalAddress6 Id?:Party6 CtryOfRes?:country CtctDtls?:ContactDetails2
PartyId43 < PartyId32 Id:Party11
PartyId135 < PartyId32 PstlAdr:PostalAddress24 Id:Party38 CtctDtls:Contact4

ClearingMember2 > ClrSysId?:cd5 MmbId:x35
GenericFinancial1 > Id:x35 SchmeNm?:cd4 Issr?:x35
Institution7 > BIC?:bic ClrSysMmbId?:ClearingMember2 Nm?:x140 PstlAdr?:PostalAddress6 Othr?:GenericFinancial1
Institution8 < Institution7 BIC>BICFI?:bic -BIC
Institution18 > BICFI?:bic2014 ClrSysMmbId?:ClearingMember2 LEI?:lei Nm?:x140 PstlAdr?:PostalAddress24 Othr?:GenericFinancial1
Branch2 > Id?:x35 Nm?:x140 PstlAdr?:PostalAddress6
Branch3 > Id?:x35 LEI?:lei Nm?:x140 PstlAdr?:PostalAddress24
Agent4 > FinInstnId:Institution7 BrnchId?:Branch2
Agent5 > FinInstnId:Institution8 BrnchId?:Branch2
Agent6 > FinInstnId:Institution18 BrnchId?:Branch3
Party35 | Pty:PartyId43 Agt:Agent5
Party40 | Pty:PartyId135 Agt:Agent6

GenericAccount1 > Id:x34 SchmeNm?:cd4 Issr?:x35
AccountId4 | IBAN:iban Othr:GenericAccount1
AccountType4 = CASH CHAR COMM TAXE CISH TRAS SACC CACC SVGS ONDP MGLD NREX MOMA LOAN SLRY ODFT
AccountType2 | Cd:AccountType4 Prtry:x35
Proxy1 > Tp?:cd4 Id:x2048
Account16 > Id:AccountId4 Tp?:AccountType2 Ccy?:currency Nm?:x70
Account24 < Account16 Tp:cd4
Account38 < Account24 Nm>Prxy?:Proxy1
Account40 < Account38 Id?:AccountId4
Account20 < Account16 Nm>Ownr?:PartyId32 Ownr>Svcr?:Agent4
Account25 < Account24 Nm>Ownr?:PartyId43 Ownr>Svcr?:Agent5
PostalAddress27 < PostalAddress24 AdrTp>CareOf?:x140 StrtNm:x140 BldgNm:x140 Flr>UnitNb?:x16 TwnNm:x140 TwnLctnNm:x140 DstrctNm:x140
NameAndAddress18 > Nm:x140 Adr:PostalAddress27
PreferredContactMethod2 = MAIL FAXX LETT CELL ONLI PHON
Contact13 < Contact4 FaxNb>URLAdr?:x2048 EmailAdr:x256 PrefrdMtd:PreferredContactMethod2
GenericOrganisation3 < GenericOrganisation1 Id:x256
Organisation39 < Organisation29 Othr:GenericOrganisation3
Person18 < Person5 Othr:GenericOrganisation3
Party52 | OrgId:Organisation39 PrvtId:Person18
PartyId272 < PartyId135 PstlAdr:PostalAddress27 Id:Party52 CtctDtls:Contact13
Institution23 < Institution18 PstlAdr:PostalAddress27
Branch5 < Branch3 PstlAdr:PostalAddress27
Agent8 > FinInstnId:Institution23 BrnchId?:Branch5
Account39 < Account38 Prxy>Ownr?:PartyId135 Ownr>Svcr?:Agent6
Account41 < Account40 Prxy>Ownr?:PartyId135 Ownr>Svcr?:Agent6
Account43 < Account40 Prxy>Ownr?:PartyId272 Ownr>Svcr?:Agent8
Party50 | Pty:PartyId272 Agt:Agent8

CreditDebit = CRDT DBIT
DateOrTime | Dt:date DtTm:dateTime
DatePeriod > FrDt:date ToDt:date
TimePeriod > FrDtTm:dateTime ToDtTm:dateTime
SupplementaryData > PlcAndNm?:x350 Envlp:any
`;
